!> Monin-Obukhov similarity of the surface layer: profiles, friction velocity and resistances.
!>
!> Zeng, Zhao and Dickinson (1998), J. Climate 11, 2628-2644: four regimes of stability with very unstable
!> and very stable ends, as in the CLM Technical Note, section 5.1. The note keeps zeta away from zero
!> (|zeta| >= 0.01); here every term is written in zeta, so that the neutral limit needs no gap and the
!> profiles are continuous through it.
module pl_monin_obukhov
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: gravity, von_karman
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: aerodynamic_resistance, first_stability, next_stability, stability_profiles

   real(rk), parameter :: onset_momentum = 1.574_rk  !! -zeta where momentum turns very unstable [1]
   real(rk), parameter :: onset_scalar = 0.465_rk    !! -zeta where heat and vapour turn very unstable [1]
   real(rk), parameter :: root_momentum = onset_momentum**(1.0_rk/3.0_rk)
   real(rk), parameter :: root_scalar = onset_scalar**(-1.0_rk/3.0_rk)
   real(rk), parameter :: log_onset_momentum = log(onset_momentum)
   real(rk), parameter :: log_onset_scalar = log(onset_scalar)
   real(rk), parameter :: unstable_limit = -100.0_rk   !! smallest zeta [1]
   real(rk), parameter :: boundary_layer = 1000.0_rk   !! height of the convective boundary layer [m]
   real(rk), parameter :: lowest_wind = 1.0_rk         !! wind speed that turbulence always keeps up [m s-1]
   real(rk), parameter :: first_gust = 0.5_rk          !! first guess of the convective velocity [m s-1]
   real(rk), parameter :: richardson_limit = 0.19_rk   !! of the first guess in stable air [1]
   real(rk), parameter :: vapour_buoyancy = 0.61_rk    !! of virtual temperature [1]
   real(rk), parameter :: calm_flux = 1.0e-12_rk       !! gusts below 0.1 mm s-1 do not count [m3 s-3]

contains

   !> Integrated profiles k*V/u* and k*(theta_a - theta_s)/theta* between the roughness length and the height.
   pure subroutine stability_profiles(zeta, log_momentum, log_scalar, ratio_momentum, ratio_scalar, momentum, scalar)
      real(rk), intent(in) :: zeta(w) !! height over Obukhov length [1]
      real(rk), intent(in) :: log_momentum(w) !! logarithm of height over momentum roughness length [1]
      real(rk), intent(in) :: log_scalar(w) !! logarithm of height over scalar roughness length [1]
      real(rk), intent(in) :: ratio_momentum(w) !! momentum roughness length over height [1]
      real(rk), intent(in) :: ratio_scalar(w) !! scalar roughness length over height [1]
      real(rk), intent(out) :: momentum(w) !! integrated momentum profile [1]
      real(rk), intent(out) :: scalar(w) !! integrated profile of heat and vapour [1]
      real(rk) :: unstable, stable, log_end, root, x, x0, y, y0, ze, far, further
      integer :: i
      do i = 1, w
         unstable = min(zeta(i), 0.0_rk)
         stable = max(zeta(i), 0.0_rk)
         ! one logarithm serves the very unstable and the very stable end
         far = max(onset_scalar, -unstable)
         further = max(1.0_rk, stable)
         log_end = log(merge(far, further, zeta(i) < 0.0_rk))
         root = exp(merge(log_end, log_onset_scalar, zeta(i) < 0.0_rk)*(1.0_rk/3.0_rk))

         ! momentum: x = (1 - 16 zeta)**(1/4), beyond the onset the profile goes on as (-zeta)**(1/3)
         ze = max(unstable, -onset_momentum)
         x = sqrt(sqrt(1.0_rk - 16.0_rk*ze))
         x0 = sqrt(sqrt(1.0_rk - 16.0_rk*unstable*ratio_momentum(i)))
         momentum(i) = log_momentum(i) + log(((1.0_rk + x0)/(1.0_rk + x))**2*((1.0_rk + x0*x0)/(1.0_rk + x*x))) &
                    + 2.0_rk*atan((x - x0)/(1.0_rk + x*x0)) &
                    + 1.14_rk*(max(root, root_momentum) - root_momentum)
         momentum(i) = momentum(i) - merge(max(log_end - log_onset_momentum, 0.0_rk), 0.0_rk, zeta(i) < 0.0_rk)

         ! heat and vapour: psi_h = 2 ln((1 + y)/2), y = (1 - 16 zeta)**(1/2), then (-zeta)**(-1/3)
         ze = max(unstable, -onset_scalar)
         y = sqrt(1.0_rk - 16.0_rk*ze)
         y0 = sqrt(1.0_rk - 16.0_rk*unstable*ratio_scalar(i))
         scalar(i) = log_scalar(i) + 2.0_rk*log((1.0_rk + y0)/(1.0_rk + y)) &
                  + 0.8_rk*(root_scalar - 1.0_rk/root) &
                  - merge(log_end - log_onset_scalar, 0.0_rk, zeta(i) < 0.0_rk)

         ! stable: 5 zeta up to 1, then 4 ln(zeta) + zeta + 4
         further = 5.0_rk*min(stable, 1.0_rk) + further - 1.0_rk + merge(0.0_rk, 4.0_rk*log_end, zeta(i) < 0.0_rk)
         momentum(i) = momentum(i) + further - 5.0_rk*stable*ratio_momentum(i)
         scalar(i) = scalar(i) + further - 5.0_rk*stable*ratio_scalar(i)
      end do
   end subroutine stability_profiles

   !> Friction velocity and the resistances to momentum, heat and vapour.
   pure subroutine aerodynamic_resistance(wind, height, roughness_momentum, roughness_scalar, log_momentum, &
                                          log_scalar, zeta, friction_velocity, resistance_momentum, resistance_scalar)
      real(rk), intent(in) :: wind(w)                 !! wind speed with gusts [m s-1]
      real(rk), intent(in) :: height(w)               !! of the forcing above displacement [m]
      real(rk), intent(in) :: roughness_momentum(w)   !! [m]
      real(rk), intent(in) :: roughness_scalar(w)     !! of heat and vapour [m]
      real(rk), intent(in) :: log_momentum(w)         !! ln(height/roughness_momentum) [1]
      real(rk), intent(in) :: log_scalar(w)           !! ln(height/roughness_scalar) [1]
      real(rk), intent(in) :: zeta(w)                 !! height over Obukhov length [1]
      real(rk), intent(out) :: friction_velocity(w)   !! [m s-1]
      real(rk), intent(out) :: resistance_momentum(w) !! [s m-1]
      real(rk), intent(out) :: resistance_scalar(w)   !! to heat and to vapour [s m-1]
      real(rk), dimension(w) :: momentum, scalar, ratio_momentum, ratio_scalar
      integer :: i
      do i = 1, w
         ratio_momentum(i) = roughness_momentum(i)/height(i)
         ratio_scalar(i) = roughness_scalar(i)/height(i)
      end do
      call stability_profiles(zeta, log_momentum, log_scalar, ratio_momentum, ratio_scalar, momentum, scalar)
      do i = 1, w
         friction_velocity(i) = von_karman*wind(i)/momentum(i)
         resistance_momentum(i) = momentum(i)/(von_karman*friction_velocity(i))
         resistance_scalar(i) = scalar(i)/(von_karman*friction_velocity(i))
      end do
   end subroutine aerodynamic_resistance

   !> First guess of stability from the bulk Richardson number (CLM Technical Note, equations 5.45-5.47).
   pure subroutine first_stability(wind_speed, height, log_momentum, virtual_air, virtual_difference, limit, zeta, &
                                   wind)
      real(rk), intent(in) :: wind_speed(w)         !! [m s-1]
      real(rk), intent(in) :: height(w)             !! of the forcing above displacement [m]
      real(rk), intent(in) :: log_momentum(w)       !! ln(height/roughness length) [1]
      real(rk), intent(in) :: virtual_air(w)        !! virtual potential temperature of the air [K]
      real(rk), intent(in) :: virtual_difference(w) !! the same, air minus surface [K]
      real(rk), intent(in) :: limit                 !! largest zeta [1]
      real(rk), intent(out) :: zeta(w)              !! height over Obukhov length [1]
      real(rk), intent(out) :: wind(w)              !! wind speed with gusts [m s-1]
      real(rk) :: calm, richardson
      integer :: i
      do i = 1, w
         calm = max(wind_speed(i), lowest_wind)
         wind(i) = merge(sqrt(calm*calm + first_gust*first_gust), calm, virtual_difference(i) < 0.0_rk)
         richardson = gravity*height(i)*virtual_difference(i)/(virtual_air(i)*wind(i)*wind(i))
         zeta(i) = richardson*log_momentum(i)/(1.0_rk - 5.0_rk*min(max(richardson, 0.0_rk), richardson_limit))
         zeta(i) = min(max(zeta(i), unstable_limit), limit)
      end do
   end subroutine first_stability

   !> Stability and gusts that belong to the fluxes of the last iterate (equations 5.30, 5.31, 5.49).
   pure subroutine next_stability(wind_speed, height, friction_velocity, resistance_scalar, potential_temperature, &
                                  virtual_air, humidity, temperature_difference, humidity_difference, limit, zeta, &
                                  wind)
      real(rk), intent(in) :: wind_speed(w)             !! [m s-1]
      real(rk), intent(in) :: height(w)                 !! of the forcing above displacement [m]
      real(rk), intent(in) :: friction_velocity(w)      !! [m s-1]
      real(rk), intent(in) :: resistance_scalar(w)      !! [s m-1]
      real(rk), intent(in) :: potential_temperature(w)  !! of the air [K]
      real(rk), intent(in) :: virtual_air(w)            !! virtual potential temperature of the air [K]
      real(rk), intent(in) :: humidity(w)               !! specific, of the air [kg kg-1]
      real(rk), intent(in) :: temperature_difference(w) !! potential temperature, air minus surface [K]
      real(rk), intent(in) :: humidity_difference(w)    !! specific humidity, air minus surface [kg kg-1]
      real(rk), intent(in) :: limit                     !! largest zeta [1]
      real(rk), intent(out) :: zeta(w)                  !! height over Obukhov length [1]
      real(rk), intent(out) :: wind(w)                  !! wind speed with gusts [m s-1]
      real(rk) :: calm, flux, gust, ustar
      integer :: i
      do i = 1, w
         ustar = friction_velocity(i)
         ! g u* theta_v*/theta_v: u* theta* is the difference over the resistance
         flux = gravity*(temperature_difference(i)*(1.0_rk + vapour_buoyancy*humidity(i)) &
                         + vapour_buoyancy*potential_temperature(i)*humidity_difference(i)) &
                /(resistance_scalar(i)*virtual_air(i))
         zeta(i) = min(max(height(i)*von_karman*flux/(ustar*ustar*ustar), unstable_limit), limit)
         gust = -boundary_layer*flux
         gust = merge(exp(log(max(gust, calm_flux))*(2.0_rk/3.0_rk)), 0.0_rk, gust > calm_flux)
         calm = max(wind_speed(i), lowest_wind)
         wind(i) = sqrt(calm*calm + gust)
      end do
   end subroutine next_stability

end module pl_monin_obukhov
