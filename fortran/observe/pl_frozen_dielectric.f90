!> Permittivity of soil that may hold ice.
!>
!> * `frozen_none`: the unfrozen model with the liquid water alone; ice counts as air.
!> * `frozen_practical`: eps = (1 - f) eps(liquid) + f (5.0 + 0.5i) with f = ice/(ice + liquid), both as volumes of water
!>   (the mixing of CMEM: Holmes et al. 2008, IEEE Trans. Geosci. Remote Sens. 46, 846-856).
!> * `frozen_mironov2017`: below freezing the refractive mixing of Mironov, Kosolapova, Lukin, Karavaysky and Molostov (2017,
!>   Remote Sens. Environ. 200, 240-249), 1.4 GHz, -30 to 0 degrees C: bound water, whose amount its temperature and the clay
!>   say, and ice take the whole water of the soil; above freezing as `frozen_none`.
module pl_frozen_dielectric
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point
   use pl_dielectric, only: soil_chunk_type, soil_permittivity
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: frozen_mironov2017, frozen_none, frozen_practical, ground_permittivity

   integer, parameter :: frozen_none = 1, frozen_practical = 2, frozen_mironov2017 = 3

   real(rk), parameter :: frozen_soil(2) = [5.0_rk, 0.5_rk] !! eps', eps'' of `frozen_practical` [1]
   real(rk), parameter :: coldest = -30.0_rk                !! of mironov2017; colder ground is as at this [degC]
   real(rk), parameter :: percent = 100.0_rk

contains

   !> Permittivity of a chunk of ground.
   pure subroutine ground_permittivity(model, frozen, frequency, soil, real_part, loss)
      integer, intent(in) :: model            !! see pl_dielectric
      integer, intent(in) :: frozen           !! one of the three above
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: share, frozen_real(w), frozen_loss(w)
      integer :: i
      call soil_permittivity(model, frequency, soil, real_part, loss)
      if (frozen == frozen_practical) then
         do i = 1, w
            share = soil%ice(i)/max(soil%ice(i) + soil%liquid(i), tiny(1.0_rk)) ! soil without water: 0
            real_part(i) = real_part(i) + share*(frozen_soil(1) - real_part(i))
            loss(i) = loss(i) + share*(frozen_soil(2) - loss(i))
         end do
      else if (frozen == frozen_mironov2017) then
         call mironov_2017(soil, frozen_real, frozen_loss)
         do i = 1, w
            real_part(i) = merge(frozen_real(i), real_part(i), soil%temperature(i) < freezing_point)
            loss(i) = merge(frozen_loss(i), loss(i), soil%temperature(i) < freezing_point)
         end do
      end if
   end subroutine ground_permittivity

   !> Mironov et al. (2017), in water per mass of dry soil.
   pure subroutine mironov_2017(soil, real_part, loss)
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: bound, density, k, n, t, water
      integer :: i
      do i = 1, w
         t = min(max(soil%temperature(i) - freezing_point, coldest), 0.0_rk)
         density = soil%bulk_density(i)/density_water ! that of the fit is in g cm-3
         water = (soil%liquid(i) + soil%ice(i))/density
         bound = min(0.0019_rk*percent*soil%clay(i)*(1.0_rk + 1.056_rk*exp(t/6.77_rk)), water)
         n = 1.0_rk + density*(0.415_rk - 0.0256_rk*exp(t/3.57_rk) + (8.042_rk + 0.0921_rk*t)*bound &
                               + (1.305_rk + 1.022_rk*exp(t/4.02_rk))*(water - bound))
         k = density*((1.654_rk - 0.258_rk*exp(t/4.07_rk))*bound + (0.204_rk + 0.00354_rk*t)*(water - bound))
         real_part(i) = n*n - k*k
         loss(i) = 2.0_rk*n*k
      end do
   end subroutine mironov_2017

end module pl_frozen_dielectric
