!> Soil with ice in its pores: freezing curve and hydraulic properties.
!>
!> Freezing curve: water in pores is held by the suction psi = L_f (T_f - T)/(g T_f) (Clausius-Clapeyron; Fuchs, Campbell
!> and Papendick 1978, Soil Sci. Soc. Am. J. 42, 379-385), so that the retention curve of the soil says how much stays
!> liquid (Niu and Yang 2006, J. Hydrometeorol. 7, 937-952, eq. 3). In Campbell's form, for which van Genuchten's curve at
!> high suction is psi_e = 1/alpha and 1/b = n - 1 (Lenhard, Parker and Mishra 1989):
!>
!>     liquid <= residual + film + (porosity - residual) (psi/psi_e)**(-1/b)
!>
!> Ice is immobile and takes pore space; heads are those of the liquid in what it leaves open. It also makes the way
!> longer: conductivity falls by 10**(-omega ice/porosity), omega = 6 (Lundin 1990, J. Hydrol. 118, 289-310; Swenson,
!> Lawrence and Lee 2012, J. Adv. Model. Earth Syst. 4, M08002). Ice is counted as the volume of its liquid water, so
!> that freezing does not change the water content (the 9 % expansion is neglected).
module pl_frozen_soil
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point, gravity, latent_fusion
   use pl_error, only: error_type
   use pl_kinds, only: rk
   use pl_soil_hydraulics, only: create_soil_hydraulics, elastic_storage, head_from_water, retention_clapp_hornberger, &
                                 soil_hydraulics_type
   implicit none (type, external)
   private
   public :: create_frozen_soil, follow_ice, freeze_hydraulics, freezing_curve

   real(rk), parameter :: film_share = 0.01_rk !! of the pores, bound so tightly that it does not freeze [1]
   real(rk), parameter :: impedance = 6.0_rk   !! omega: decades of conductivity lost in pores full of ice [1]
   real(rk), parameter :: full = 1.0e-8_rk     !! water this close to the open pores counts as saturated [m3 m-3]

contains

   !> Freezing curve of a chunk: liquid <= film + scale (T_f - T)**(-power).
   pure subroutine freezing_curve(nlayer, soil, film, scale, power)
      integer, intent(in) :: nlayer              !! layers [1]
      type(soil_hydraulics_type), intent(in) :: soil !! prepared
      real(rk), intent(out) :: film(w, nlayer)   !! water that does not freeze [m3 m-3]
      real(rk), intent(out) :: scale(w, nlayer)  !! [m3 m-3 K**power]
      real(rk), intent(out) :: power(w, nlayer)  !! [1]
      real(rk), parameter :: suction_per_kelvin = latent_fusion/(gravity*freezing_point) !! [m K-1]
      real(rk) :: pores, entry
      logical :: is_campbell
      integer :: i, k
      is_campbell = soil%retention == retention_clapp_hornberger
      do k = 1, nlayer
         do i = 1, w
            pores = soil%porosity(i, k) - soil%residual_water(i, k)
            entry = merge(soil%retention_scale(i, k), 1.0_rk/soil%retention_scale(i, k), is_campbell)
            power(i, k) = merge(1.0_rk/soil%retention_shape(i, k), soil%retention_shape(i, k) - 1.0_rk, is_campbell)
            scale(i, k) = pores*exp(power(i, k)*log(entry/suction_per_kelvin))
            film(i, k) = soil%residual_water(i, k) + film_share*pores
         end do
      end do
   end subroutine freezing_curve

   !> Allocate hydraulics for `freeze_hydraulics`, once per thread.
   subroutine create_frozen_soil(nlayer, soil, frozen, error)
      integer, intent(in) :: nlayer                       !! layers [1]
      type(soil_hydraulics_type), intent(in) :: soil      !! prepared
      type(soil_hydraulics_type), intent(inout) :: frozen
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      frozen%retention = soil%retention
      frozen%air_entry = soil%air_entry
      frozen%air_dry_head = soil%air_dry_head
      call create_soil_hydraulics(frozen, nlayer, error)
   end subroutine create_frozen_soil

   !> Hydraulics of soil with ice; lanes without ice keep their own to the last bit.
   pure subroutine freeze_hydraulics(nlayer, soil, ice, frozen)
      integer, intent(in) :: nlayer                  !! layers [1]
      type(soil_hydraulics_type), intent(in) :: soil !! prepared, without ice
      real(rk), intent(in) :: ice(w, nlayer)         !! as volume of liquid water [m3 m-3]
      type(soil_hydraulics_type), intent(inout) :: frozen !! created by create_frozen_soil
      real(rk), parameter :: rate = impedance*log(10.0_rk)
      real(rk) :: open, slowed
      integer :: i, k
      do k = 1, nlayer
         do i = 1, w
            open = (soil%porosity(i, k) - ice(i, k) - soil%residual_water(i, k)) &
                   /(soil%porosity(i, k) - soil%residual_water(i, k))
            slowed = exp(-rate*ice(i, k)/soil%porosity(i, k))
            frozen%porosity(i, k) = soil%porosity(i, k) - ice(i, k)
            frozen%residual_water(i, k) = soil%residual_water(i, k)
            frozen%retention_scale(i, k) = soil%retention_scale(i, k)
            frozen%retention_shape(i, k) = soil%retention_shape(i, k)
            frozen%saturated_conductivity(i, k) = slowed*soil%saturated_conductivity(i, k)
            frozen%conductivity_scale(i, k) = slowed*soil%conductivity_scale(i, k)
            frozen%specific_storage(i, k) = soil%specific_storage(i, k)
            frozen%entry_head(i, k) = soil%entry_head(i, k)
            frozen%release_head(i, k) = soil%release_head(i, k)
            frozen%saturation_scale(i, k) = soil%saturation_scale(i, k)
            ! without ice: not the sum, which rounds
            frozen%air_dry_water(i, k) = merge(soil%residual_water(i, k) &
                                               + open*(soil%air_dry_water(i, k) - soil%residual_water(i, k)), &
                                               soil%air_dry_water(i, k), ice(i, k) > 0.0_rk)
         end do
      end do
   end subroutine freeze_hydraulics

   !> Heads of the layers whose ice has changed: a saturated layer keeps its pressure, all others follow their liquid.
   !>
   !> A layer under pressure may lack a little water, as the tolerance of the solver lets it; if it no longer counts as
   !> saturated, what compression held becomes liquid, so that no water is lost.
   pure subroutine follow_ice(nlayer, frozen, ice_before, ice, water, head)
      integer, intent(in) :: nlayer                    !! layers [1]
      type(soil_hydraulics_type), intent(in) :: frozen !! with the ice as it is now
      real(rk), intent(in) :: ice_before(w, nlayer)    !! [m3 m-3]
      real(rk), intent(in) :: ice(w, nlayer)           !! [m3 m-3]
      real(rk), intent(inout) :: water(w, nlayer)      !! liquid [m3 m-3]
      real(rk), intent(inout) :: head(w, nlayer)       !! [m]
      real(rk) :: followed(w, nlayer), stored(w, nlayer)
      logical :: changed, is_full
      integer :: i, k
      call elastic_storage(nlayer, frozen, head, stored)
      stored = water + stored
      call head_from_water(nlayer, frozen, stored, followed)
      do k = 1, nlayer
         do i = 1, w
            changed = abs(ice(i, k) - ice_before(i, k)) > 0.0_rk
            is_full = stored(i, k) >= frozen%porosity(i, k) - full
            followed(i, k) = merge(max(head(i, k), followed(i, k)), followed(i, k), is_full)
            head(i, k) = merge(followed(i, k), head(i, k), changed)
            water(i, k) = merge(stored(i, k), water(i, k), changed .and. .not. is_full)
         end do
      end do
   end subroutine follow_ice

end module pl_frozen_soil
