!> Complex permittivity eps' + i eps'' of moist soil, from its water content and texture.
!>
!> * `mironov2009`: refractive mixing with bound and free water (Mironov, Kosolapova and Fomin 2009, IEEE Trans. Geosci.
!>   Remote Sens. 47, 2059-2070, eqs. 11-25); coefficients at 20 degrees C, 0.3 to 26.5 GHz.
!> * `mironov2013`: the same mixing with coefficients that depend on temperature, at 1.4 GHz only (Mironov, Kerr, Wigneron,
!>   Kosolapova and Demontoux 2013, IEEE Geosci. Remote Sens. Lett. 10, 419-423). Fitted at 10 to 40 degrees C.
!> * `wang_schmugge1980`: Wang and Schmugge (1980, IEEE Trans. Geosci. Remote Sens. 18, 288-295, eqs. 1-9), linear mixing
!>   with a transition water content; conductivity loss below 2.5 GHz. Water is pure, as in the paper.
!> * `dobson1985`: Dobson, Ulaby, Hallikainen and El-Rayes (1985, IEEE Trans. Geosci. Remote Sens. 23, 35-46, eqs. 22-32)
!>   with the conductivity of 1.4 to 18 GHz.
!> * `peplinski1995`: the same with the conductivity of Peplinski, Ulaby and Dobson (1995, IEEE Trans. Geosci. Remote Sens.
!>   33, 803-807, eq. 10), fitted at 0.3 to 1.3 GHz; without the linear correction of eps' that they give for that range.
!> * `refractive`: volumes of mineral, air, water and ice, each with its own refractive index (Birchak et al. 1974, Proc.
!>   IEEE 62, 93-98: exponent 1/2). The only one of these that knows ice; see pl_frozen_dielectric for the others.
module pl_dielectric
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_ice, density_water, freezing_point, pi
   use pl_kinds, only: rk
   use pl_water_permittivity, only: high_frequency_limit, refractive_index, vacuum_permittivity, water_permittivity, &
                                    water_relaxation
   implicit none (type, external)
   private
   public :: model_dobson1985, model_mironov2009, model_mironov2013, model_peplinski1995, model_refractive
   public :: model_wang_schmugge1980, soil_chunk_type, soil_permittivity

   integer, parameter :: model_mironov2009 = 1, model_mironov2013 = 2, model_wang_schmugge1980 = 3
   integer, parameter :: model_dobson1985 = 4, model_peplinski1995 = 5, model_refractive = 6

   real(rk), parameter :: percent = 100.0_rk
   real(rk), parameter :: coldest_2013 = 0.0_rk, warmest_2013 = 40.0_rk !! range of mironov2013 [degC]
   real(rk), parameter :: density_solids = 2664.0_rk   !! of Dobson et al. [kg m-3]
   real(rk), parameter :: solids_dobson = 4.7_rk       !! eps of soil solids (Dobson et al. 1985, eq. 22) [1]
   real(rk), parameter :: shape = 0.65_rk              !! exponent of Dobson et al. [1]
   real(rk), parameter :: least_water = 1.0e-9_rk      !! that the powers of Dobson et al. see, in place of none [m3 m-3]
   real(rk), parameter :: rock(2) = [5.5_rk, 0.2_rk]   !! Wang and Schmugge [1]
   real(rk), parameter :: bound_ice(2) = [3.2_rk, 0.1_rk] !! Wang and Schmugge [1]
   real(rk), parameter :: conductive = 2.5e9_rk        !! conductivity loss of Wang and Schmugge below it [Hz]
   real(rk), parameter :: most_loss = 26.0_rk          !! largest factor of that loss [1]

   !> Soil of a chunk.
   type :: soil_chunk_type
      real(rk) :: liquid(w)       !! liquid water [m3 m-3]
      real(rk) :: ice(w)          !! ice as the volume of its liquid water [m3 m-3]
      real(rk) :: temperature(w)  !! [K]
      real(rk) :: clay(w)         !! share of the mineral mass [1]
      real(rk) :: sand(w)         !! share of the mineral mass [1]
      real(rk) :: bulk_density(w) !! of the dry soil [kg m-3]
      real(rk) :: porosity(w)     !! [m3 m-3]
   end type soil_chunk_type

contains

   !> Permittivity of a chunk of unfrozen soil; `refractive` counts ice too.
   pure subroutine soil_permittivity(model, frequency, soil, real_part, loss)
      integer, intent(in) :: model            !! one of the models above
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      select case (model)
      case (model_mironov2013)
         call mironov_2013(soil, real_part, loss)
      case (model_wang_schmugge1980)
         call wang_schmugge_1980(frequency, soil, real_part, loss)
      case (model_dobson1985, model_peplinski1995)
         call dobson_1985(model == model_peplinski1995, frequency, soil, real_part, loss)
      case (model_refractive)
         call refractive_mixing(frequency, soil, real_part, loss)
      case default
         call mironov_2009(frequency, soil, real_part, loss)
      end select
   end subroutine soil_permittivity

   !> Mironov et al. (2009).
   pure subroutine mironov_2009(frequency, soil, real_part, loss)
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk), parameter :: free_static = 100.0_rk, free_relaxation = 8.5e-12_rk
      real(rk) :: c, radian, angle, share, conduction, bound, n, k
      real(rk), dimension(w) :: bound_real, bound_loss, free_real, free_loss, nb, kb, nu, ku
      integer :: i
      radian = 2.0_rk*pi*frequency
      conduction = 1.0_rk/(radian*vacuum_permittivity)
      angle = radian*free_relaxation
      share = (free_static - high_frequency_limit)/(1.0_rk + angle*angle)
      do i = 1, w
         c = percent*soil%clay(i)
         free_real(i) = high_frequency_limit + share
         free_loss(i) = share*angle + (0.3631_rk + 1.217e-2_rk*c)*conduction
      end do
      do i = 1, w
         c = percent*soil%clay(i)
         angle = radian*(1.062e-11_rk + 3.45e-14_rk*c)
         share = (79.8_rk - 85.4e-2_rk*c + 32.7e-4_rk*c*c - high_frequency_limit)/(1.0_rk + angle*angle)
         bound_real(i) = high_frequency_limit + share
         bound_loss(i) = share*angle + (0.3112_rk + 0.467e-2_rk*c)*conduction
      end do
      call refractive_index(bound_real, bound_loss, nb, kb)
      call refractive_index(free_real, free_loss, nu, ku)
      do i = 1, w
         c = percent*soil%clay(i)
         bound = min(soil%liquid(i), 0.02863_rk + 0.30673e-2_rk*c)
         n = 1.634_rk - 0.539e-2_rk*c + 0.2748e-4_rk*c*c + (nb(i) - 1.0_rk)*bound &
             + (nu(i) - 1.0_rk)*(soil%liquid(i) - bound)
         k = 0.03952_rk - 0.04038e-2_rk*c + kb(i)*bound + ku(i)*(soil%liquid(i) - bound)
         real_part(i) = n*n - k*k
         loss(i) = 2.0_rk*n*k
      end do
   end subroutine mironov_2009

   !> Mironov et al. (2013), at 1.4 GHz.
   pure subroutine mironov_2013(soil, real_part, loss)
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: bound, c, k, kb, ku, n, nb, nu, t
      integer :: i
      do i = 1, w
         c = percent*soil%clay(i)
         t = min(max(soil%temperature(i) - freezing_point, coldest_2013), warmest_2013)
         nb = 8.86_rk + 0.00321_rk*t + c*(-0.0644_rk + 7.96e-4_rk*t + c*(2.97e-4_rk - 9.6e-6_rk*t))
         kb = 0.738_rk + t*(-0.00903_rk + 8.57e-5_rk*t) + c*(-0.00215_rk + 1.47e-4_rk*t &
              + c*(7.36e-5_rk + t*(-1.03e-6_rk + 1.05e-8_rk*t)))
         nu = 10.3_rk - 0.0173_rk*t + c*(6.5e-4_rk + 8.82e-5_rk*t + c*(-6.34e-6_rk - 6.32e-7_rk*t))
         ku = 0.7_rk + t*(-0.017_rk + 1.78e-4_rk*t) + c*(0.0161_rk + 7.25e-4_rk*t &
              + c*(-1.46e-4_rk + t*(-6.03e-6_rk - 7.87e-9_rk*t)))
         bound = min(soil%liquid(i), 0.0286_rk + 0.00307_rk*c)
         n = 1.634_rk - 0.00539_rk*c + 2.75e-5_rk*c*c + (nb - 1.0_rk)*bound + (nu - 1.0_rk)*(soil%liquid(i) - bound)
         k = 0.0395_rk - 4.038e-4_rk*c + kb*bound + ku*(soil%liquid(i) - bound)
         real_part(i) = n*n - k*k
         loss(i) = 2.0_rk*n*k
      end do
   end subroutine mironov_2013

   !> Wang and Schmugge (1980).
   pure subroutine wang_schmugge_1980(frequency, soil, real_part, loss)
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: absorbed, conductivity, factor, free, point, solids, transition, water_real(w), water_loss(w)
      integer :: i
      call water_permittivity(frequency, soil%temperature, water_real, water_loss)
      conductivity = merge(1.0_rk, 0.0_rk, frequency < conductive)
      do i = 1, w
         point = 0.06774_rk - 0.064_rk*soil%sand(i) + 0.478_rk*soil%clay(i) ! positive for any texture
         transition = 0.49_rk*point + 0.165_rk
         factor = (0.481_rk - 0.57_rk*point)*min(soil%liquid(i)/transition, 1.0_rk)
         absorbed = min(soil%liquid(i), transition)
         free = soil%liquid(i) - absorbed
         solids = 1.0_rk - soil%porosity(i)
         real_part(i) = absorbed*(bound_ice(1) + (water_real(i) - bound_ice(1))*factor) + free*water_real(i) &
                        + max(soil%porosity(i) - soil%liquid(i), 0.0_rk) + solids*rock(1)
         loss(i) = absorbed*(bound_ice(2) + (water_loss(i) - bound_ice(2))*factor) + free*water_loss(i) + solids*rock(2) &
                   + conductivity*min(percent*point, most_loss)*soil%liquid(i)*soil%liquid(i)
      end do
   end subroutine wang_schmugge_1980

   !> Dobson et al. (1985), with the conductivity of Peplinski et al. (1995) if asked.
   pure subroutine dobson_1985(low_frequency, frequency, soil, real_part, loss)
      logical, intent(in) :: low_frequency    !! conductivity of Peplinski et al.
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk) :: angle, density, dry, factor(3), log_water, power_loss, power_real, radian, relaxation(w), share, sigma
      real(rk) :: static(w), water
      integer :: i
      call water_relaxation(soil%temperature, static, relaxation)
      radian = 2.0_rk*pi*frequency
      if (low_frequency) then
         factor = [0.2204_rk, -0.4111_rk, 0.6614_rk]
      else
         factor = [1.939_rk, -2.25622_rk, 1.594_rk]
      end if
      dry = merge(0.0467_rk, -1.645_rk, low_frequency)
      do i = 1, w
         density = soil%bulk_density(i)/density_water ! that of the fit is in g cm-3
         sigma = max(dry + factor(1)*density + factor(2)*soil%sand(i) + factor(3)*soil%clay(i), 0.0_rk)
         power_real = 1.2748_rk - 0.519_rk*soil%sand(i) - 0.152_rk*soil%clay(i)
         power_loss = 1.33797_rk - 0.603_rk*soil%sand(i) - 0.166_rk*soil%clay(i)
         water = max(soil%liquid(i), least_water)
         log_water = log(water)
         angle = radian*relaxation(i)
         share = (static(i) - high_frequency_limit)/(1.0_rk + angle*angle)
         real_part(i) = 1.0_rk + soil%bulk_density(i)/density_solids*(exp(shape*log(solids_dobson)) - 1.0_rk) &
                        + exp(power_real*log_water + shape*log(high_frequency_limit + share)) - water
         real_part(i) = exp(log(real_part(i))/shape)
         ! conductivity stands over the water content: both are multiplied by it
         share = share*angle*water + sigma*(1.0_rk - soil%bulk_density(i)/density_solids)/(radian*vacuum_permittivity)
         loss(i) = exp((power_loss - shape)*log_water/shape)*share
      end do
   end subroutine dobson_1985

   !> Refractive indices of mineral, air, water and ice, weighted with their volumes.
   pure subroutine refractive_mixing(frequency, soil, real_part, loss)
      real(rk), intent(in) :: frequency       !! [Hz]
      type(soil_chunk_type), intent(in) :: soil
      real(rk), intent(out) :: real_part(w)   !! eps' [1]
      real(rk), intent(out) :: loss(w)        !! eps'' [1]
      real(rk), parameter :: ice_base = 3.1884_rk, ice_slope = 9.1e-4_rk
      real(rk), dimension(w) :: k_water, n_water, water_loss, water_real
      real(rk) :: air, ice, k, n, n_ice
      integer :: i
      call water_permittivity(frequency, soil%temperature, water_real, water_loss)
      call refractive_index(water_real, water_loss, n_water, k_water)
      do i = 1, w
         ice = soil%ice(i)*(density_water/density_ice)
         air = max(soil%porosity(i) - soil%liquid(i) - ice, 0.0_rk)
         n_ice = sqrt(ice_base + ice_slope*min(soil%temperature(i) - freezing_point, 0.0_rk))
         n = (1.0_rk - soil%porosity(i))*sqrt(solids_dobson) + air + soil%liquid(i)*n_water(i) + ice*n_ice
         k = soil%liquid(i)*k_water(i)
         real_part(i) = n*n - k*k
         loss(i) = 2.0_rk*n*k
      end do
   end subroutine refractive_mixing

end module pl_dielectric
