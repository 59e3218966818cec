!> Derived weather: density, vapour pressure, potential temperature, and shortwave by band and direction.
!>
!> CLM Technical Note, chapter 2 (eqs. 2.6.7 ff. and the split of shortwave, coefficients from one year of hourly
!> CAM output).
module pl_weather
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: dry_adiabatic_lapse, gas_dry_air
   use pl_kinds, only: rk
   use pl_land_chunk, only: near_infrared, visible, weather_chunk_type
   use pl_moist_air, only: vapour_pressure
   implicit none (type, external)
   private
   public :: derive_weather

   real(rk), parameter :: visible_share = 0.5_rk         !! of total shortwave [1]
   real(rk), parameter :: lightness_of_vapour = 0.378_rk !! 1 - 0.622, in the density of moist air [1]
   real(rk), parameter :: direct_vis(0:3) = [0.17639_rk, 0.00380_rk, -9.0039e-6_rk, 8.1351e-9_rk] !! per (W m-2)**n
   real(rk), parameter :: direct_nir(0:3) = [0.29548_rk, 0.00504_rk, -1.4957e-5_rk, 1.4881e-8_rk] !! per (W m-2)**n
   real(rk), parameter :: least_direct = 0.01_rk         !! bounds of the direct share [1]
   real(rk), parameter :: most_direct = 0.99_rk

contains

   !> Fill the derived members of `weather`.
   !>
   !> Density is p/(R_da T_v) with the virtual temperature T_v = T/(1 - 0.378 e/p). With the sun below the horizon
   !> all shortwave is diffuse (twilight).
   pure subroutine derive_weather(weather)
      type(weather_chunk_type), intent(inout) :: weather !! in: forcing; out: derived members too
      real(rk) :: vis, nir, share
      integer :: i
      weather%vapour_pressure = vapour_pressure(weather%specific_humidity, weather%air_pressure)
      do i = 1, w
         weather%air_density(i) = (weather%air_pressure(i) - lightness_of_vapour*weather%vapour_pressure(i)) &
                                  /(gas_dry_air*weather%air_temperature(i))
         weather%potential_temperature(i) = weather%air_temperature(i) + dry_adiabatic_lapse*weather%reference_height(i)
         vis = visible_share*weather%shortwave_down(i)
         nir = weather%shortwave_down(i) - vis
         share = merge(direct_share(vis, direct_vis), 0.0_rk, weather%cosine_zenith(i) > 0.0_rk)
         weather%shortwave_direct(i, visible) = share*vis
         weather%shortwave_diffuse(i, visible) = vis - weather%shortwave_direct(i, visible)
         share = merge(direct_share(nir, direct_nir), 0.0_rk, weather%cosine_zenith(i) > 0.0_rk)
         weather%shortwave_direct(i, near_infrared) = share*nir
         weather%shortwave_diffuse(i, near_infrared) = nir - weather%shortwave_direct(i, near_infrared)
      end do
   end subroutine derive_weather

   !> Direct share of one band's shortwave.
   pure function direct_share(flux, coefficient) result(share)
      real(rk), intent(in) :: flux             !! shortwave of the band [W m-2]
      real(rk), intent(in) :: coefficient(0:3) !! of the cubic
      real(rk) :: share                        !! [1]
      share = coefficient(0) + flux*(coefficient(1) + flux*(coefficient(2) + flux*coefficient(3)))
      share = min(max(share, least_direct), most_direct)
   end function direct_share

end module pl_weather
